# Varnish in front of `feeds serve`, with its module xkey (Debian: varnish-modules).
# To be run with `-p http_gzip_support=off`: the server compresses, with Brotli too;
# and with `-a purge=127.0.0.1:6082` beside the address that the world comes to.
vcl 4.1;

import xkey;

backend feeds {
  .host = "127.0.0.1";
  .port = "8000";
  .connect_timeout = 2s;
  .first_byte_timeout = 10s;
}

# Who may purge, at the address that is named for it. Elsewhere an address says little: who
# comes through a proxy on this machine, such as one for TLS, has that of the machine.
acl purgers {
  "127.0.0.1";
  "::1";
}

sub vcl_recv {
  # Neither the host nor a query changes an answer, and the server has the site at its root.
  set req.http.Host = "feeds";
  set req.url = regsub(regsub(req.url, "\?.*", ""), "^/social-protection/", "/");

  if (req.method == "PURGE") {
    if (local.socket != "purge" || client.ip !~ purgers) {
      return (synth(403));
    }
    if (req.url ~ "^/\.keys/") {
      return (synth(200, xkey.purge(regsub(req.url, "^/\.keys/", "")) + " purged"));
    }
    return (purge);
  }

  # With `feeds serve --metrics`, only Prometheus may read these, from the server itself,
  # which decodes the path.
  if (req.url ~ "(?i)^/(m|%6d)(e|%65)(t|%74)(r|%72)(i|%69)(c|%63)(s|%73)$") {
    return (synth(404));
  }

  # One copy of each answer, whatever clients call the codings that they take.
  if (req.http.Accept-Encoding ~ "(?i)\bbr\b") {
    set req.http.Accept-Encoding = "br";
  } elsif (req.http.Accept-Encoding ~ "(?i)\bgzip\b") {
    set req.http.Accept-Encoding = "gzip";
  } else {
    unset req.http.Accept-Encoding;
  }
  # A browser that goes to a feed is given it under another type.
  if (req.http.Sec-Fetch-Dest != "document") {
    unset req.http.Sec-Fetch-Dest;
  }
  unset req.http.Cookie;

  # What is out of date is given after a failure alone.
  if (req.restarts == 0) {
    set req.grace = 0s;
  } else {
    set req.grace = 1d;
  }
}

sub vcl_backend_response {
  set beresp.http.xkey = beresp.http.Surrogate-Key;
  # For this cache alone: a cache in front of it need not keep feeds twice.
  if (beresp.http.Vary) {
    set beresp.http.Vary = beresp.http.Vary + ", Sec-Fetch-Dest";
  }
  # As long as stale-if-error says.
  set beresp.grace = 1d;
  if (beresp.status >= 500) {
    return (abandon);
  }
}

sub vcl_backend_error {
  return (abandon);
}

sub vcl_deliver {
  set resp.http.Vary = regsub(resp.http.Vary, ", Sec-Fetch-Dest$", "");
  if (resp.http.Vary == "") {
    unset resp.http.Vary;
  }
  unset resp.http.xkey;
  unset resp.http.Surrogate-Key;
  unset resp.http.Cache-Tag;
}

sub vcl_synth {
  if (resp.status == 503) {
    if (req.restarts == 0) {
      return (restart);
    }
    set resp.http.Retry-After = "30";
  }
}
