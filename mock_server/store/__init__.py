"""Where accounts, tasks and ledgers are kept: a database, SQLite or PostgreSQL.

`Store` is what playing the contract needs, `Admin` what the control API does beyond it, `Journal` what was served.
"""

from mock_server.store.admin import Admin, Change, Holder, Ledger, TooManyCreditsError
from mock_server.store.engine import NotAtOnceError, StoreError
from mock_server.store.journal import MOST_RECORDS, Counts, Journal
from mock_server.store.store import KEPT_IN_MEMORY, Caller, Machine, Store

__all__ = [
    "KEPT_IN_MEMORY",
    "MOST_RECORDS",
    "Admin",
    "Caller",
    "Change",
    "Counts",
    "Holder",
    "Journal",
    "Ledger",
    "Machine",
    "NotAtOnceError",
    "Store",
    "StoreError",
    "TooManyCreditsError",
]
