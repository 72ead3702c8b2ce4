// The one translation unit that compiles Asio; everybody else includes declarations only.
#include <boost/asio/impl/src.hpp>
