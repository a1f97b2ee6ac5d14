package io.quarry.agent.service;

import io.quarry.agent.check.OpenReview;
import io.quarry.agent.fix.SourcePins;
import io.quarry.agent.fix.UploadActivity;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ClosedOpens;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenInfo.State;
import io.quarry.common.api.OpenPage;
import io.quarry.common.api.OpenQuery;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FenceOpens;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lists who has images open, and ends opens. */
final class OpenService {
  private static final Logger LOG = LoggerFactory.getLogger(OpenService.class);

  private final Repositories repositories;
  private final Idempotency repeats;
  private final StorageIo io;
  private final OpenReview review;
  private final ForeignWriters foreign;
  private final DiskGrowth growth;

  OpenService(Repositories repositories, Idempotency repeats, StorageIo io, OpenReview review) {
    this.repositories = repositories;
    this.repeats = repeats;
    this.io = io;
    this.review = review;
    this.foreign = new ForeignWriters(io);
    this.growth = new DiskGrowth(io);
  }

  OpenPage list(ConnectedRepository repository, OpenQuery query) {
    PageQuery page = new PageQuery(query.after(), query.limit());
    LogState state = repository.atLeast(query.atLeast());
    List<Open> opens =
        state.repository().opens().values().stream()
            .filter(open -> query.hostId() == null || open.hostId().equals(query.hostId()))
            .sorted(Comparator.comparing(Open::id))
            .toList();
    return page.ofSorted(
        opens,
        Open::id,
        open -> info(repository, open),
        (infos, next) -> new OpenPage(infos, next, state.sequence()));
  }

  OpenInfo get(ConnectedRepository repository, String openId, long atLeast) {
    return info(repository, require(repository.atLeast(atLeast), openId));
  }

  private OpenInfo info(ConnectedRepository repository, Open open) {
    OpenInfo.Upload upload = open.fills() == null ? null : upload(repository, open);
    return new OpenInfo(
        open.id(),
        open.imageId(),
        OpenReview.use(open),
        upload == null ? review.of(open) : review.of(upload),
        open.hostId(),
        open.owner(),
        open.readOnly(),
        open.since(),
        open.boot() == null ? null : open.boot().bootId(),
        upload);
  }

  /** Null while the storage does not answer: the list shows the open all the same. */
  private OpenInfo.@Nullable Upload upload(ConnectedRepository repository, Open open) {
    WorkStore store = repository.storage().work();
    try {
      return review.upload(io.call(repository, () -> UploadActivity.last(store, open)));
    } catch (StorageException e) {
      LOG.debug("The upload {} is shown without its activity: {}", open.id(), e.getMessage());
      return null;
    }
  }

  /** Closes a use of that image. */
  Committed close(ConnectedRepository repository, String imageId, String openId, RequestId id) {
    Open open = repository.state().repository().opens().get(openId);
    requireStill(repository, open);
    return closed(
        repository, open, new CloseImage(imageId, openId, growth.of(repository, open)), id);
  }

  Committed close(ConnectedRepository repository, String openId, boolean force, RequestId id) {
    return repeats.once(
        id,
        repository,
        () -> {
          Open open = require(repositories.newest(repository), openId);
          if (!force) {
            return close(repository, open.imageId(), openId, id);
          }
          LOG.warn("Open {} of image {} is closed by force", openId, open.imageId());
          growth.adopt(repository, List.of(open));
          return closed(repository, open, fence(repository, open), id);
        },
        reply -> new Committed(reply.repeated(id, operation(reply)).commit()));
  }

  /** SDMs of logs without the feature may not know the request. */
  private static Request fence(ConnectedRepository repository, Open open) {
    return repository.state().repository().schema().has(Feature.BOOT_IDS)
        ? new FenceOpens(open.hostId(), List.of(open.id()))
        : new CloseImage(open.imageId(), open.id());
  }

  private static String operation(Reply closed) {
    return closed.operation().equals("fenceOpens") ? "fenceOpens" : "closeImage";
  }

  private Committed closed(
      ConnectedRepository repository, @Nullable Open open, Request request, RequestId id) {
    Reply reply = repository.commit(id, request);
    if (open != null && open.baseSource() != null) {
      releaseBase(repository, open.baseSource(), reply.commit());
    }
    return new Committed(reply.commit());
  }

  /** The image is closed already. After a failure here the reaper removes the stale pin. */
  private void releaseBase(ConnectedRepository repository, CopySource base, long commit) {
    try {
      RepositoryState now = repository.atLeast(commit).repository();
      SourcePins.release(repositories::holder, List.of(base), now);
    } catch (StorageException e) {
      LOG.warn("The pin {} stays for now: {}", base.pinId(), e.getMessage());
    }
  }

  /** Refuses to end a VM's use as long as a process is seen that writes (R14). */
  private void requireStill(ConnectedRepository repository, @Nullable Open open) {
    String writer = open == null ? null : foreign.of(repository, open);
    if (open != null && writer != null) {
      throw new StorageException(
          ErrorCode.STILL_WRITING,
          "image " + open.imageId() + " is still in use: " + writer + " writes to its file",
          open.id(),
          "end that process and call again; closeOpen with force=true (quarry open close REPO "
              + open.id()
              + " --force) ends the open all the same, if the process can write nothing any more");
    }
  }

  ClosedOpens closeDead(ConnectedRepository repository, CloseOpensRequest request, RequestId id) {
    return repeats.once(
        id, repository, () -> firstClose(repository, request, id), reply -> again(id, reply));
  }

  /**
   * The log does not keep which opens ended the first time. Opens that are due now need a new call.
   */
  private static ClosedOpens again(RequestId id, Reply reply) {
    return new ClosedOpens(List.of(), false, 0, reply.repeated(id, "fenceOpens").commit());
  }

  private ClosedOpens firstClose(
      ConnectedRepository repository, CloseOpensRequest request, RequestId requestId) {
    ArgumentChecks.check("hostId", request.hostId());
    if (!request.dead()) {
      throw StorageException.invalid(
          "dead",
          "the call does not vouch that the users on host " + request.hostId() + " have ended",
          "make sure that they have, and give dead=true (on the command line --dead)");
    }
    LogState now = repositories.newest(repository);
    List<Open> there =
        now.repository().opens().values().stream()
            .filter(open -> open.hostId().equals(request.hostId()) && open.fills() == null)
            .sorted(Comparator.comparing(Open::id))
            .toList();
    List<Open> dead = there.stream().filter(open -> review.of(open) != State.IN_USE).toList();
    List<Open> some = dead.subList(0, Math.min(dead.size(), FenceOpens.OPENS_MAX));
    if (!request.force()) {
      some.forEach(open -> requireStill(repository, open));
    }
    growth.adopt(repository, some);
    long commit = some.isEmpty() ? now.sequence() : fence(repository, request, some, requestId);
    return new ClosedOpens(
        some.stream().map(Open::id).toList(),
        some.size() < dead.size(),
        there.size() - dead.size(),
        commit);
  }

  private static long fence(
      ConnectedRepository repository, CloseOpensRequest request, List<Open> dead, RequestId id) {
    LOG.warn(
        "An administrator vouches that {} opens of host {} are over",
        dead.size(),
        request.hostId());
    if (repository.state().repository().schema().has(Feature.BOOT_IDS)) {
      List<String> ids = dead.stream().map(Open::id).toList();
      return repository.commit(id, new FenceOpens(request.hostId(), ids)).commit();
    }
    return dead.stream()
        .mapToLong(open ->
            repository
                .commit(UUID.randomUUID().toString(), new CloseImage(open.imageId(), open.id()))
                .commit())
        .max()
        .orElseThrow();
  }

  private static Open require(LogState state, String openId) {
    Open open = state.repository().opens().get(openId);
    if (open == null) {
      throw new StorageException(
          ErrorCode.OPEN_NOT_FOUND,
          "there is no open " + openId + " in this repository",
          openId,
          "list the opens; it may have been closed already");
    }
    return open;
  }
}
