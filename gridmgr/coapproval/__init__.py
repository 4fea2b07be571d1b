"""Co-approval (一窗联办): all bodies a permit touches are asked first, so that it is not stopped a day later."""
