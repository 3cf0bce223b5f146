"""Small trainings: one plain loop, seeded and resumable, with the tasks and networks that studies of training use."""
