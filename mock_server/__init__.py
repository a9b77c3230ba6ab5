"""The mock: plays a contract over HTTP, with accounts, credits and tasks that really run.

contract -> rules (validation, plan, snapshot, ledger: pure) -> service (+ store) -> app (HTTP)
"""
