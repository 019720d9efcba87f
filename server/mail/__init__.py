"""What is sent: invitations, reminders, notices. Never a text of a person."""
