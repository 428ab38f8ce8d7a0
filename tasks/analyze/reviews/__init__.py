"""What the checks say together: each looks at the findings of those before it."""
