"""What the JavaScript components receive and send back, as bytes."""
