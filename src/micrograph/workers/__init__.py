"""Processes that work for the site, so that what they need (torch) never comes into its own."""

from micrograph.workers.order import Order, Priority
from micrograph.workers.pool import ClientFull, Pool, PoolFull, PoolLimits, PoolQuestion
from micrograph.workers.process import Refusal, WorkerDied, WorkerTimeout
from micrograph.workers.supervisor import LOOK, RENDER, QueueFull, Supervisor
from micrograph.workers.ticket import Cancelled, Ticket, TicketState

__all__ = [
    "LOOK",
    "RENDER",
    "Cancelled",
    "ClientFull",
    "Order",
    "Pool",
    "PoolFull",
    "PoolLimits",
    "PoolQuestion",
    "Priority",
    "QueueFull",
    "Refusal",
    "Supervisor",
    "Ticket",
    "TicketState",
    "WorkerDied",
    "WorkerTimeout",
]
