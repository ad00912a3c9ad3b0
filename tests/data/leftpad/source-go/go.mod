module example.com/leftpad

go 1.20

require github.com/keltia/leftpad v0.1.0
