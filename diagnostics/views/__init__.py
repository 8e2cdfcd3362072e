"""Pages of the diagnosis. Every queryset starts with what this person may see."""
