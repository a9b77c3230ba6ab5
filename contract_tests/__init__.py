"""The contract tests: hold any implementation to the contract, over HTTP, and say of each clause what came out.

contract -> cases -> target -> checks -> verdicts -> reports
"""
