### Models on other servers: what can go wrong on the way, and what to do.

remote_error-bad_address = The address of the API model { $name } cannot be used. Write it as https://host/v1, without a name, password or query.
remote_error-unreachable =
    { $host } cannot be reached{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Check that the server runs, and its address.
remote_error-unknown_host = There is no host { $host }. Check the address of the API model and the network.
remote_error-connect_timeout = { $host } did not accept a connection within { $seconds } seconds.
remote_error-silent = { $host } said nothing for { $seconds } seconds, so it was given up.
remote_error-certificate =
    { $host } cannot prove who it is, so nothing was sent to it{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Its certificate must be one that this system trusts.
remote_error-tls =
    There is no secure connection to { $host }{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Check whether its address begins with https:// or http://.
remote_error-broken =
    The connection to { $host } broke{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }.
remote_error-redirect =
    { $host } sends requests on to { GIVEN($target) ->
        [yes] { $target }
       *[no] another address
    }, which is not followed, so that its key goes nowhere else. Correct the address of the API model.
remote_error-redirects = { $host } sends requests on again and again. Correct the address of the API model.
remote_error-circle = This request went from one Llamero to another too often, so { $host } was not asked. Look whether they ask each other.
remote_error-web_page = { $host } answered with a web page. Check the address of the API model: it often ends with /v1.
remote_error-too_large = { $host } sent more than { NUMBER($limit, useGrouping: 1) } bytes in one answer, which was not taken.
remote_error-bad_key = This key cannot be sent in a request. A key is letters, digits and punctuation, without spaces, 4,096 at most.
remote_error-keyring_silent = The system's keyring did not answer within { $seconds } seconds. Unlock it, then try again.
remote_error-keyring =
    The system's keyring refused{ GIVEN($reason) ->
        [yes] { " " }({ $reason })
       *[no] { "" }
    }. Unlock it, then try again.
remote_error-key_file =
    The file of keys { $path } cannot be used{ GIVEN($reason) ->
        [yes] : { $reason }
       *[no] { "" }
    }. Check it, or move it away and give the keys again.

fallback_error-circle = Fallbacks lead in a circle, or too deep: { $chain }. Take one of them out.
