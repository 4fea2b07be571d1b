"""The words of an incident's life: states, steps, sources, and what can be wrong with a step."""

from enum import StrEnum

from gridmgr.errors import BadInput, Conflict

HOLDERS = ("micro_grid", "community", "street", "district")  # who answers for a case, from below


class State(StrEnum):
    """Where an incident stands."""

    REPORTED = "reported"  # 已上报: somebody told us
    ACCEPTED = "accepted"  # 已立案: it is ours and the clock runs
    DISPATCHED = "dispatched"  # 已派遣: a body has been told to handle it
    HANDLING = "handling"  # 处置中: somebody is at work
    SUSPENDED = "suspended"  # 已挂账: it cannot go on for now, its clocks stand still
    FED_BACK = "fed_back"  # 待核查: said to be done, not yet checked
    VERIFIED = "verified"  # 已核查: checked on site
    CLOSED = "closed"  # 已结案
    EVALUATED = "evaluated"  # 已评价
    VOIDED = "voided"  # 已作废: no matter of ours
    MERGED = "merged"  # 已合并: the same as another one


class Action(StrEnum):
    """What is done to an incident; each appends one row of history."""

    REPORT = "report"  # 上报
    CONFIRM = "confirm"  # 核实: looked at on site before it is accepted
    SETTLE = "settle"  # 自办自结: settled on the spot, in one step
    ACCEPT = "accept"  # 立案
    DISPATCH = "dispatch"  # 派遣
    HANDLE = "handle"  # 处置
    FEED_BACK = "feed_back"  # 反馈
    VERIFY = "verify"  # 核查通过
    REWORK = "rework"  # 返工: the check failed
    CLOSE = "close"  # 结案
    EVALUATE = "evaluate"  # 评价
    ASK = "ask"  # 申请: of somebody of higher rank, one of the ways below
    REFUSE = "refuse"  # 驳回: that request
    EXTEND = "extend"  # 延期
    SEND_BACK = "send_back"  # 回退: it was dispatched to the wrong body
    SUSPEND = "suspend"  # 挂账
    RESUME = "resume"  # 恢复
    REDIRECT = "redirect"  # 改派
    VOID = "void"  # 作废
    MERGE = "merge"  # 合并
    REOPEN = "reopen"  # 重开
    HAND_UP = "hand_up"  # 上报上级: to the level above
    HAND_DOWN = "hand_down"  # 下派: to a level below
    TAKE_OVER = "take_over"  # 升级接管: a ladder has raised it to a level
    ASSIGN_TASK = "assign_task"  # 协办: a part of the work for another body
    FINISH_TASK = "finish_task"  # 协办办结
    MEET = "meet"  # 时限达成: one of the further limits of the case is met
    ATTACH = "attach"  # 附件
    RETIME = "retime"  # 时限重算: the calendar was corrected
    ADOPT = "adopt"  # 导入: another system says how far it had come
    HAND_OVER = "hand_over"  # 移交: the body at work is no more, or has a new name; another one works on
    WHISTLE = "whistle"  # 吹哨: departments or streets are called to it
    REPORT_IN = "report_in"  # 报到: one of those called is there
    REHOME = "rehome"  # 归属调整: the map changed under an open case


class Source(StrEnum):
    """Who noticed it."""

    PATROL = "patrol"  # 网格巡查
    RESIDENT = "resident"  # 居民
    HOTLINE = "hotline"  # 12345
    LEADER = "leader"  # 领导批示
    MEDIA = "media"  # 媒体
    SENSOR = "sensor"  # 传感器、视频
    SYSTEM = "system"  # 其他系统


class IllegalMove(Conflict):
    """Incident {number} is {state}; {action} is not possible now."""


class MissingField(BadInput):
    """The step {action} needs the field {field}."""


class BadField(BadInput):
    """The field {field} cannot be {value}; expected {expected}."""
