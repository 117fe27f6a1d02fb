"""A workspace ties the floors together: the one way in for the command line, the web face and scripts."""

from mingjian.workspace._cases import run_cases
from mingjian.workspace._explained import Explained, rows_of
from mingjian.workspace._schemes import scheme_folder
from mingjian.workspace._workspace import Taken, Workspace

__all__ = ["Explained", "Taken", "Workspace", "rows_of", "run_cases", "scheme_folder"]
