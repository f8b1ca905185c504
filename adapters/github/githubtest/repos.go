package githubtest

// A repository is what is in one repository.
type repository struct{}

func (s *Server) routeRepositories() {}
