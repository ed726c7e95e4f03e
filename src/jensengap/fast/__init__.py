"""Fast versions of what the subject computes, for long trainings and many images."""
