"""The contract: reads `openapi.yaml`, and says what it means.

document -> structure -> reader (pricing, lifecycle) -> model -> clauses
"""
