"""Ray executor: phases as tasks of a cluster. Ray is imported only when it is used."""
