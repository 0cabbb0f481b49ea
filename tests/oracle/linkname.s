// Lets analysis.go declare a function without a body.
