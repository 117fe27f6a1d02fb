from fastapi import APIRouter

from mingjian.web._area import Area

router = APIRouter()
public = Area("public", router, lambda visit, scheme: ())
