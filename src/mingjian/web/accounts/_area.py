from fastapi import APIRouter

from mingjian.web._area import Area

router = APIRouter()
accounts = Area("accounts", router, lambda visit, scheme: ())
