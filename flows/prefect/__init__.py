"""The only door to Prefect beside `steps.py` and the rooms' doors: the flow, the deployment, the server."""
