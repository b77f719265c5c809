"""The memory that training needs: estimated and logged before the model loads, and used to plan."""

from bioinstruct_dagster.training.memory.faults import killed_message, memory_fault
from bioinstruct_dagster.training.memory.planning import ExecutionPlan, plan

__all__ = ["ExecutionPlan", "killed_message", "memory_fault", "plan"]
