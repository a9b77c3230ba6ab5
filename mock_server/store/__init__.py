"""Where accounts, tasks and ledgers are kept: a database, through SQLAlchemy Core.

`Store` is what playing the contract needs; `Admin` is what the control API does beyond it.
"""

from mock_server.store.admin import Admin, Change, Holder, TooManyCreditsError
from mock_server.store.engine import StoreError
from mock_server.store.store import Caller, Machine, Store

__all__ = ["Admin", "Caller", "Change", "Holder", "Machine", "Store", "StoreError", "TooManyCreditsError"]
