"""Why trials fail: what their output says, which failures are alike, and when the first ones stop the round."""
