"""What can be wrong with what is asked of the casebook."""

from gridmgr.errors import BadInput


class OtherOrder(BadInput):
    """This page goes on in a list of another order; begin again without a cursor."""
