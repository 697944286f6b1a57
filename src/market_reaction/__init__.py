"""What did markets do when this was announced, and was it unusual?"""
