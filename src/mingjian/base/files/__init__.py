"""Files that are there whole, or not at all, and whose names outlast a power cut."""

from mingjian.base.files._whole import DRAFT, drafting, keep_names, write_whole

__all__ = ["DRAFT", "drafting", "keep_names", "write_whole"]
