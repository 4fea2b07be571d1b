"""How the demonstration's people are told: a leader's quiet nights and phone, and the robot of a street's group."""

from sqlalchemy.orm import Session

from gridmgr.account import queries as accounts
from gridmgr.account.queries import actor_of
from gridmgr.notice import queries, service
from gridmgr.notice.model import Flavour, Kind, Quiet

QUIET = Quiet(22 * 60, 7 * 60)
PHONE = "13800000000"  # of nobody: without a gateway nothing is sent there
ROBOT = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=demonstration"
TOLD = (Kind.TAKEN_OVER, Kind.LADDER_CALLED, Kind.ORDER_LATE)


def open_ways(session: Session) -> bool:
    """Keep quiet nights and a phone for one leader, and subscribe a robot, paused; returns whether there were none."""
    leader = accounts.by_username(session, "streetleader")
    if leader is None or queries.webhooks(session) or queries.quiet_of(session, leader.id):
        return False
    actor = actor_of(leader)
    service.set_quiet(session, actor, QUIET)
    service.set_phone(session, actor, PHONE)
    area = leader.grants[0].code
    robot = service.add_webhook(session, ROBOT, TOLD, Flavour.WECOM, "街道工作群", area)
    service.set_webhook_active(session, robot.id, False)  # there is no such group
    return True
