# For test.sh and build.sh: goes to the Registry's source, laid out as Debian's package does it (debian/rules).

# A GOPATH, beside the libraries from Debian's golang-*-dev packages. No module is downloaded.
cd /src/docker-registry
dh_auto_configure --buildsystem=golang
GOPATH="$PWD/obj-$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
export GOPATH GO111MODULE=off
cd "$GOPATH/src/github.com/docker/distribution"
