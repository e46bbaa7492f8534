"""Explorer: any quantity of any rulebook by place, item and time."""
