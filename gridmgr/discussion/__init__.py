"""Talk of cases: comments with mentions, and ready-made notes for steps."""
