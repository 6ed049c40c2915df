-- Grain: none. The new file is closed.
DETACH fresh;
