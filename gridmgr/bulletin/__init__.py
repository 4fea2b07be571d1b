"""Bulletins (工作周报, 工作月报): papers written of a digest, on plan or when asked for, and kept for ever."""
