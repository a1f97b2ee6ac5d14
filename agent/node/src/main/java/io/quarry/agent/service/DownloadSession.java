package io.quarry.agent.service;

import io.quarry.agent.data.Extent;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.fix.Chains;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.fix.SourceOpener;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An image that this agent has open for reading. The open in the log keeps the image from being
 * changed or cleaned. An agent that is absent for long may lose its open. So the bytes count only
 * once the log confirms, afterwards, that the open still exists.
 */
final class DownloadSession {
  private static final Logger LOG = LoggerFactory.getLogger(DownloadSession.class);

  /** The name of the image's user, for operators. */
  private static final String OWNER = "download";

  /** The map of a large chain takes a while even on a healthy storage. */
  private static final Duration READ_DEADLINE = Duration.ofSeconds(60);

  private static final Duration TOOLS_GONE = Duration.ofSeconds(5);

  private final ConnectedRepository repository;
  private final StorageIo io;
  private final Image image;
  private final long size;
  private final String openId;
  private final Children children;
  private final Source source;

  /** The part of the tag that stands for files changed by another process. */
  private volatile String foreign = "";

  private DownloadSession(
      ConnectedRepository repository,
      StorageIo io,
      Image image,
      long size,
      String openId,
      Children children,
      Source source) {
    this.repository = repository;
    this.io = io;
    this.image = image;
    this.size = size;
    this.openId = openId;
    this.children = children;
    this.source = source;
  }

  /** Commits the open, then opens the files. */
  static DownloadSession open(
      ConnectedRepository repository,
      String imageId,
      String openId,
      Worker self,
      StorageIo io,
      FixContext context,
      LightMends mends) {
    mends.await(repository, imageId);
    Chains chains = new Chains(context.repositories());
    ImageAttachment.requireReached(repository.state().repository(), imageId, chains);
    new DiskGrowth(io).adopt(repository, imageId);
    Reply reply =
        mends.commit(
            repository,
            imageId,
            RequestId.of(UUID.randomUUID().toString()),
            new OpenImage(openId, imageId, true, self.hostId(), OWNER, self.incarnation()));
    Children children = new Children(context.spawner(), OWNER + " of " + imageId);
    try {
      RepositoryState state = repository.atLeast(reply.commit()).repository();
      Image image = state.images().get(imageId);
      Open open = state.opens().get(openId);
      Volume top = open == null ? null : state.volumes().get(open.volumes().getFirst());
      if (image == null || open == null || top == null) {
        throw lost(repository, state, imageId);
      }
      // The disk may have grown since, which does not affect this open.
      long size = top.size();
      SourceOpener opener =
          new SourceOpener(repository, chains, children, context.runtimeDirectory());
      Source source =
          io.call(
              repository,
              READ_DEADLINE,
              () -> opener.content(chains.of(repository.storage(), state, open), size));
      return new DownloadSession(repository, io, image, size, openId, children, source);
    } catch (RuntimeException e) {
      close(repository, imageId, openId);
      throw e;
    }
  }

  ConnectedRepository repository() {
    return repository;
  }

  String imageId() {
    return image.id();
  }

  String openId() {
    return openId;
  }

  long size() {
    return size;
  }

  /** The tag names the content: an image that could not change in between keeps its tag. */
  String etag() {
    Long changed = image.contentCommit();
    String commit = changed == null ? "" : "-" + changed;
    return "\"" + image.id() + "-" + size + commit + foreign + "\"";
  }

  /**
   * Looks whether another process has written to frozen files. Such content has a tag of its own
   * for as long as the files do not change again. Call this before asking for the tag.
   */
  void look() {
    RepositoryState state = repository.state().repository();
    Open open = state.opens().get(openId);
    if (open != null) {
      Map<String, Witness> changed =
          io.call(repository, () -> ChangedFiles.of(repository.storage(), state, open.volumes()));
      foreign =
          changed.isEmpty()
              ? ""
              : "-" + UUID.nameUUIDFromBytes(changed.toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** After a failure the storage may still write to the memory: never use it again. */
  void read(long offset, MemorySegment into) {
    io.call(
        repository,
        READ_DEADLINE,
        () -> {
          source.read(offset, into);
          return true;
        });
  }

  List<Extent> extents(long offset, long length) {
    return io.call(repository, READ_DEADLINE, () -> source.extents(offset, length));
  }

  /** Throws unless the image was kept until now. */
  void requireKept() {
    RepositoryState state = io.call(repository, () -> repository.replica().refresh()).repository();
    if (!state.opens().containsKey(openId)) {
      throw lost(repository, state, image.id());
    }
  }

  /** Closes the open, and throws unless the image was kept until then. */
  void closeKept() {
    closeFiles();
    if (!close(repository, image.id(), openId)) {
      throw lost(repository, repository.state().repository(), image.id());
    }
  }

  /** Closes the open; the bytes read last do not count. */
  void close() {
    closeFiles();
    var _ = close(repository, image.id(), openId);
  }

  private void closeFiles() {
    try {
      io.call(
          repository,
          () -> {
            source.close();
            children.stopAll(TOOLS_GONE);
            return true;
          });
    } catch (StorageException e) {
      LOG.warn("Files of image {} stay open for now: {}", image.id(), e.getMessage());
    }
  }

  /** Whether the open existed until now, as far as this host can tell. */
  static boolean close(ConnectedRepository repository, String imageId, String openId) {
    try {
      var _ = repository.commit(UUID.randomUUID().toString(), new CloseImage(imageId, openId));
      return true;
    } catch (StorageException e) {
      if (e.code() != ErrorCode.OPEN_NOT_FOUND) {
        LOG.warn("Image {} stays open for now: {}", imageId, e.getMessage());
      }
      return false;
    }
  }

  private static StorageException lost(
      ConnectedRepository repository, RepositoryState state, String imageId) {
    if (state.visibleImage(imageId) == null) {
      // The removal of an image ends its downloads.
      return Status.notFound(imageId, repository.repoId());
    }
    return new StorageException(
        ErrorCode.AGENT_UNAVAILABLE,
        "image " + imageId + " was not kept open for this agent, which was away for too long",
        imageId,
        "repeat the call, here or at another agent; the ETag tells whether the image has changed");
  }
}
