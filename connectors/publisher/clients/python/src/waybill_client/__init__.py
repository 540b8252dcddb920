"""Seal shipment events for Waybill, publish them, wait for the answers, verify webhooks."""

from .gateway import Gateway, Problem, Result, Unavailable
from .seal import SealedEvent, Sealer
from .webhook import InvalidWebhook, verify_webhook

__all__ = [
    "Gateway",
    "InvalidWebhook",
    "Problem",
    "Result",
    "SealedEvent",
    "Sealer",
    "Unavailable",
    "verify_webhook",
]
