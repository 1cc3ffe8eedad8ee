"""The Hugging Face Hub: fetch checkpoints from it; build what is published, and send it."""
