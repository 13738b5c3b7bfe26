// A session's calls about bundles.
#pragma once

#include "jit/hash.h"
#include "kiln.capnp.h"
#include "rpc/session.h"

namespace kiln {

using WarmContext = capnp::CallContext<schema::Session::WarmParams, schema::Session::WarmResults>;
using RemoveBundleContext =
    capnp::CallContext<schema::Session::RemoveBundleParams, schema::Session::RemoveBundleResults>;

// Session.warm(), for a peer who may.
kj::Promise<void> beginWarming(SessionContext& context, const Peer& peer, WarmContext call);
// Session.removeBundle(), for a peer who may.
kj::Promise<void> removeBundle(SessionContext& context, const Peer& peer, const Sha256& digest,
                               RemoveBundleContext call);

}  // namespace kiln
