// Package deploy holds no code but tests: that docker-compose.yml, Dockerfile, .env.example and the files below deploy fit each other and
// the rest of the tree. A name that is misspelt there shows otherwise only on the machine of the one who starts it.
//
// What a running Docker alone can tell, that the images exist and do what is asked of them, is not tested here.
package deploy
