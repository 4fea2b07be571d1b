"""Consultation (征求意见): whom something concerns is asked first, each may object, and some may stop it (一票否决)."""
