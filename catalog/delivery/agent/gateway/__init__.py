"""The cluster gateway: agents dial in on one port, the platform's own processes ask on another."""
