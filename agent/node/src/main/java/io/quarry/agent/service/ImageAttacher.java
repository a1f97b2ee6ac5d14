package io.quarry.agent.service;

import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.fix.Chains;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.ThisHost;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens images for VMs on this host. */
final class ImageAttacher {
  private static final Logger LOG = LoggerFactory.getLogger(ImageAttacher.class);

  private final ThisHost host;
  private final Idempotency repeats;
  private final StorageIo io;
  private final LightMends mends;
  private final ForeignWriters foreign;
  private final DiskGrowth growth;
  private final Chains chains;
  private final HostRegistry hosts;
  private final PeerApi peers;

  /** Repositories and request ids of the calls that are under way on this host. */
  private final Set<String> underWay = ConcurrentHashMap.newKeySet();

  ImageAttacher(
      ThisHost host,
      Idempotency repeats,
      StorageIo io,
      LightMends mends,
      ForeignWriters foreign,
      Chains chains,
      HostRegistry hosts,
      PeerApi peers) {
    this.host = host;
    this.repeats = repeats;
    this.io = io;
    this.mends = mends;
    this.foreign = foreign;
    this.growth = new DiskGrowth(io);
    this.chains = chains;
    this.hosts = hosts;
    this.peers = peers;
  }

  OpenedImage open(
      ConnectedRepository repository, String imageId, OpenRequest request, RequestId id) {
    String call = repository.key() + "/" + id.value();
    if (!underWay.add(call)) {
      // An answer to this call would start a VM, which the earlier call would take for a foreign
      // writer.
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "an earlier try of request " + id.value() + " is under way",
          imageId,
          "repeat the call after a pause");
    }
    try {
      return repeats.once(
          id,
          repository,
          () -> first(repository, imageId, request, id),
          reply ->
              again(repository, imageId, request, id, reply.repeated(id, OpenImage.OPERATION)));
    } finally {
      underWay.remove(call);
    }
  }

  private OpenedImage first(
      ConnectedRepository repository, String imageId, OpenRequest request, RequestId id) {
    requireHere(request);
    String openId = UUID.randomUUID().toString();
    mends.await(repository, imageId);
    ImageAttachment.requireReached(repository.state().repository(), imageId, chains);
    Volume top = null;
    if (request.readOnly()) {
      growth.adopt(repository, imageId);
    } else {
      top = foreign.before(repository, imageId);
    }
    Reply reply =
        mends.commit(
            repository,
            imageId,
            id,
            new OpenImage(
                openId,
                imageId,
                request.readOnly(),
                host.id(),
                request.owner(),
                null,
                boot(repository)));
    if (!reply.id().equals(openId)) {
      return again(repository, imageId, request, id, reply);
    }
    LogState state = Repositories.committed(repository, id, reply);
    Open open = require(state, imageId, reply);
    try {
      // No caller knows of the open yet, so a writer cannot be its user.
      foreign.after(repository, imageId, top);
      var _ = io.call(repository, () -> reach(repository, state, open));
      return ImageAttachment.describe(repository, state.repository(), open, chains, reply.commit());
    } catch (StorageException e) {
      // A passing failure proves no foreign writer.
      if (e.code().retryable()) {
        throw unanswered(open, id, e);
      }
      // The other repository may have been disconnected here during the commit of the open.
      closeUnanswered(repository, open, id, e);
      throw e;
    } catch (RuntimeException | Error e) {
      throw unanswered(open, id, e);
    }
  }

  /** SDMs of logs without the feature may not know the field. */
  private @Nullable HostBoot boot(ConnectedRepository repository) {
    boolean known = repository.state().repository().schema().has(Feature.BOOT_IDS);
    return known ? host.boot() : null;
  }

  private void requireHere(OpenRequest request) {
    String wanted = request.hostId();
    if (wanted != null && !wanted.equals(host.id())) {
      String endpoint =
          hosts.find(wanted).map(HostRecord::endpoint).orElse("its agent, when it is live");
      throw StorageException.invalid(
          "hostId",
          "the image is to be open on host " + wanted + ", and this agent is of host " + host.id(),
          "call " + endpoint);
    }
  }

  /**
   * The paths are those of the open's host (R16), and only that host can tell them. A VM may use
   * the open, so a failure never ends it.
   */
  private OpenedImage again(
      ConnectedRepository repository,
      String imageId,
      OpenRequest request,
      RequestId id,
      Reply reply) {
    LogState state = Repositories.committed(repository, id, reply);
    Open open = require(state, imageId, reply);
    if (!open.imageId().equals(imageId)
        || (request.hostId() != null && !request.hostId().equals(open.hostId()))) {
      throw new StorageException(
          ErrorCode.REQUEST_ID_REUSED,
          "request id " + id + " opened image " + open.imageId() + " on host " + open.hostId(),
          id.value(),
          "use a fresh request id for each call, and the same one only to repeat it");
    }
    try {
      if (!open.hostId().equals(host.id())) {
        return peerOf(repository, open, request, id);
      }
      reachAgain(repository, state, open);
      return ImageAttachment.describe(repository, state.repository(), open, chains, reply.commit());
    } catch (StorageException e) {
      // This agent may not know yet that the open has ended.
      throw e.code() == ErrorCode.OPEN_NOT_FOUND ? e : unanswered(open, id, e);
    } catch (RuntimeException | Error e) {
      throw unanswered(open, id, e);
    }
  }

  private OpenedImage peerOf(
      ConnectedRepository repository, Open open, OpenRequest request, RequestId id) {
    HostRecord peer = hosts.find(open.hostId()).orElse(null);
    RepositoryOnHost there = peer == null ? null : peer.repositories().get(repository.key());
    // Another agent at that address would pass the call on without end.
    if (peer == null || there == null || !peers.answersAs(peer.hostId(), peer.endpoint())) {
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "it is open on host " + open.hostId() + ", whose agent does not answer for it",
          open.imageId(),
          "start that host's agent");
    }
    return peers.at(peer).openImage(there.repoId(), open.imageId(), request, id.value());
  }

  private static Open require(LogState state, String imageId, Reply reply) {
    Open open = state.repository().opens().get(reply.id());
    if (open == null) {
      throw Tasks.openNotFound(imageId, reply.id());
    }
    return open;
  }

  private Chain reach(ConnectedRepository repository, LogState state, Open open)
      throws IOException {
    VolumeKeeper.ofOpen(repository, state.repository(), open);
    return chains.of(repository.storage(), state.repository(), open).requireFiles();
  }

  /** The VM may run already, and libvirt may have given its files to another user. */
  private void reachAgain(ConnectedRepository repository, LogState state, Open open) {
    try {
      var _ = io.call(repository, () -> reach(repository, state, open));
    } catch (StorageException e) {
      if (e.code() != ErrorCode.VOLUME_FORBIDDEN) {
        throw e;
      }
      LOG.info("The files of open {} stay as they are: {}", open.id(), e.getMessage());
    }
  }

  private static StorageException unanswered(Open open, RequestId requestId, Throwable why) {
    return new StorageException(
        ErrorCode.OUTCOME_UNKNOWN,
        "image " + open.imageId() + " is open, and cannot be described: " + why.getMessage(),
        requestId.value(),
        "repeat the call with the same request id, or close open id " + open.id(),
        why);
  }

  /** The caller knows no open id. If the open stays, only the same request id can find it again. */
  private static void closeUnanswered(
      ConnectedRepository repository, Open open, RequestId requestId, Throwable why) {
    try {
      repository.commit(UUID.randomUUID().toString(), new CloseImage(open.imageId(), open.id()));
    } catch (StorageException e) {
      why.addSuppressed(e);
      throw unanswered(open, requestId, why);
    }
  }
}
