"""The only door to Prefect but for the steps: the flow, the deployment, the server, and its idea of what runs."""
