package io.quarry.agent.service;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.check.Checks;
import io.quarry.agent.check.OpenReview;
import io.quarry.agent.fix.Chains;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.fix.FixScheduler;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.ThisHost;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ClosedOpens;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.FixPage;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.HostPage;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExtents;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenPage;
import io.quarry.common.api.OpenQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.RequestOutcome;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.api.TaskPage;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.api.UserData;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.EnableFeatures;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.PauseFix;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.RestoreImage;
import io.quarry.coordinator.plan.ResumeFix;
import io.quarry.coordinator.plan.SetUserData;
import io.quarry.coordinator.thread.Supervisor;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The storage API as this agent serves it: checks, looks up, commits, answers. */
public final class StorageService implements StorageApi, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StorageService.class);

  /** A check asks for the length of every file, and may read for a while. */
  private static final Duration CHECK_MAX = Duration.ofSeconds(55);

  private final Repositories repositories;
  private final FixScheduler fixes;
  private final Idempotency repeats;
  private final Images images;
  private final Tasks tasks;
  private final StorageIo io;
  private final Status status;
  private final Listings listings;
  private final Checks checks;
  private final Explain explain;
  private final Events events;
  private final DownloadSessions readings;
  private final Downloads downloads;
  private final Uploads uploads;
  private final ImageAttacher opening;
  private final OpenService opens;
  private final ForeignWriters foreign;
  private final HostRegistry hosts;
  private final Runnable connectionsChanged;

  /**
   * @param connectionsChanged tells the cluster what this host has connected
   */
  public StorageService(
      ThisHost host,
      Repositories repositories,
      FixScheduler fixes,
      Tasks tasks,
      StorageIo io,
      FixContext context,
      HostRegistry hosts,
      OpenReview review,
      Runnable connectionsChanged,
      Supervisor supervisor) {
    Worker self = host.worker();
    this.repositories = repositories;
    this.fixes = fixes;
    this.repeats = new Idempotency(repositories);
    LightMends mends = new LightMends(repositories);
    this.foreign = new ForeignWriters(io);
    this.images = new Images(repositories, self, tasks.drain(), mends, foreign);
    this.tasks = tasks;
    this.io = io;
    SpaceWaits space = new SpaceWaits(context.budget(), io, repositories::anyHangs);
    this.status = new Status(io, context.repositories(), space, tasks::live);
    this.listings = new Listings(repositories, io, status, space);
    this.checks = new Checks(context, repositories::all, tasks::live, review);
    this.explain = new Explain(status, space, io, tasks::live);
    this.opening =
        new ImageAttacher(
            host,
            repeats,
            io,
            mends,
            foreign,
            new Chains(context.repositories()),
            hosts,
            tasks.peers());
    this.opens = new OpenService(repositories, repeats, io, review);
    this.readings = new DownloadSessions(self, repositories, io, context, mends, supervisor);
    this.uploads = new Uploads(self, repositories, io, context, hosts, foreign, mends, supervisor);
    this.downloads = new Downloads(readings, context);
    this.events = new Events(repositories::all, () -> tasks.list(null), io);
    this.hosts = hosts;
    this.connectionsChanged = connectionsChanged;
  }

  @Override
  public RepositoryInfo connectStorageRepository(ConnectRequest request) {
    return started(repositories.connect(request));
  }

  @Override
  public RepositoryInfo createStorageRepository(ConnectRequest request) {
    return started(repositories.create(request));
  }

  /** Connects a repository that the agent's configuration names. */
  public void connectConfigured(ConnectRequest request) {
    var _ = started(repositories.connect(request, Connections.Kind.CONFIGURED));
  }

  private RepositoryInfo started(Repositories.Connected connection) {
    if (connection.fresh()) {
      start(connection.repository());
      connectionsChanged.run();
    }
    return listings.repository(connection.repository());
  }

  /** Starts all parts of the repository, or none when no thread can be started. */
  private void start(ConnectedRepository repository) {
    try {
      repository.start();
      fixes.watch(repository);
    } catch (RuntimeException | Error e) {
      repositories.giveUp(repository);
      throw e;
    }
  }

  @Override
  public void disconnectStorageRepository(String repoId) {
    Optional<ConnectedRepository> connected = repositories.remove(repoId);
    if (connected.isEmpty()) {
      return;
    }
    ConnectedRepository repository = connected.get();
    connectionsChanged.run();
    try {
      fixes.release(repository);
    } catch (TimeoutException e) {
      LOG.warn("Disconnecting {} all the same: {}", repoId, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    readings.letGo(repository);
    uploads.letGo(repository);
    // A storage that hangs must not keep the connection.
    try {
      var _ =
          io.call(
              repository,
              () -> {
                repository.storage().disconnects();
                return true;
              });
    } catch (StorageException e) {
      LOG.warn("{} is left as it is: {}", repoId, e.getMessage());
    }
    repository.close();
  }

  @Override
  public Committed upgradeStorageRepository(String repoId, @Nullable String requestId) {
    ConnectedRepository repository = repositories.get(repoId);
    Upgrade.requireAllHosts(repository.key(), hosts.live());
    return committed(repoId, new EnableFeatures(Feature.KNOWN), requestId);
  }

  @Override
  public List<RepositoryInfo> listStorageRepositories() {
    return repositories.all().stream().map(listings::repository).toList();
  }

  @Override
  public RepositoryInfo getStorageRepository(String repoId) {
    return listings.repository(repositories.get(repoId));
  }

  @Override
  public CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String requestId) {
    return images.createVirtualDisk(repoId, request, requestId);
  }

  @Override
  public CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String requestId) {
    return images.createSnapshot(repoId, request, requestId);
  }

  @Override
  public CreatedImage copyImage(
      String repoId, CopyImageRequest request, @Nullable String requestId) {
    return images.copyImage(repoId, request, requestId);
  }

  @Override
  public Committed removeImage(
      String repoId, String imageId, RemoveImageOptions options, @Nullable String requestId) {
    if (!options.force()) {
      var _ = foreign.requireNone(repositories.get(repoId), imageId);
    }
    var opens = repositories.get(repoId).state().repository().opensOf(imageId);
    Committed removed =
        committed(
            repoId,
            new RemoveImage(imageId, options.autoFix(), options.retain(), options.force()),
            requestId);
    opens.forEach(uploads::ended);
    return removed;
  }

  @Override
  public Committed restoreImage(String repoId, String imageId, @Nullable String requestId) {
    return committed(repoId, new RestoreImage(imageId), requestId);
  }

  @Override
  public ImagePage listImages(String repoId, ImageQuery query) {
    return listings.images(repositories.get(repoId), query);
  }

  @Override
  public ImageInfo getImage(String repoId, String imageId, long atLeast) {
    return listings.image(repositories.get(repoId), imageId, atLeast);
  }

  @Override
  public ImageStatus getImageStatus(String repoId, String imageId, StatusQuery query) {
    return status.of(repositories.get(repoId), imageId, query);
  }

  @Override
  public ImageExplanation explainImage(String repoId, String imageId, long atLeast) {
    return explain.image(repositories.get(repoId), imageId, atLeast);
  }

  @Override
  public Committed setUserData(
      String repoId, String imageId, ObjectNode userData, @Nullable String requestId) {
    UserData.check(userData);
    return committed(repoId, new SetUserData(imageId, userData), requestId);
  }

  @Override
  public Committed resizeImage(
      String repoId, String imageId, long size, @Nullable String requestId) {
    return images.resizeImage(repoId, imageId, size, requestId);
  }

  @Override
  public OpenedImage openImage(
      String repoId, String imageId, OpenRequest request, @Nullable String requestId) {
    return opening.open(
        repositories.get(repoId), imageId, request, ArgumentChecks.requestId(requestId));
  }

  @Override
  public Committed closeImage(
      String repoId, String imageId, String openId, @Nullable String requestId) {
    Committed closed =
        opens.close(repositories.get(repoId), imageId, openId, ArgumentChecks.requestId(requestId));
    uploads.ended(openId);
    return closed;
  }

  @Override
  public OpenPage listOpens(String repoId, OpenQuery query) {
    return opens.list(repositories.get(repoId), query);
  }

  @Override
  public OpenInfo getOpen(String repoId, String openId, long atLeast) {
    return opens.get(repositories.get(repoId), openId, atLeast);
  }

  @Override
  public Committed closeOpen(
      String repoId, String openId, boolean force, @Nullable String requestId) {
    Committed closed =
        opens.close(repositories.get(repoId), openId, force, ArgumentChecks.requestId(requestId));
    uploads.ended(openId);
    return closed;
  }

  @Override
  public ClosedOpens closeOpens(
      String repoId, CloseOpensRequest request, @Nullable String requestId) {
    return opens.closeDead(repositories.get(repoId), request, ArgumentChecks.requestId(requestId));
  }

  @Override
  public ImageData downloadImage(String repoId, String imageId, DownloadRequest request) {
    return downloads.download(repositories.get(repoId), imageId, request);
  }

  @Override
  public ImageExtents listImageExtents(String repoId, String imageId, ExtentQuery query) {
    return downloads.extents(repositories.get(repoId), imageId, query);
  }

  @Override
  public UploadInfo beginUpload(
      String repoId, String imageId, BeginUploadRequest request, @Nullable String requestId) {
    return uploads.begin(
        repositories.get(repoId), imageId, request, ArgumentChecks.requestId(requestId));
  }

  @Override
  public UploadInfo getUpload(String repoId, String imageId, String uploadId) {
    return uploads.info(repositories.get(repoId), imageId, uploadId);
  }

  @Override
  public UploadInfo uploadImage(
      String repoId, String imageId, String uploadId, UploadRange range, InputStream content) {
    return uploads.write(repositories.get(repoId), imageId, uploadId, range, content);
  }

  @Override
  public UploadInfo finishUpload(
      String repoId,
      String imageId,
      String uploadId,
      FinishUploadRequest request,
      @Nullable String requestId) {
    return uploads.finish(
        repositories.get(repoId), imageId, uploadId, request, ArgumentChecks.requestId(requestId));
  }

  @Override
  public CheckReport checkStorageRepository(String repoId, CheckOptions options) {
    if (options.after() != null && !options.deep()) {
      throw StorageException.invalid(
          "after", "only a deep check goes on", "leave out after, or set deep");
    }
    ConnectedRepository repository = repositories.get(repoId);
    repository.atLeast(options.atLeast());
    return io.call(repository, CHECK_MAX, () -> checks.run(repository, options));
  }

  @Override
  public FixQueued fixStorageRepository(
      String repoId, FixRequest request, @Nullable String requestId) {
    ConnectedRepository repository = repositories.get(repoId);
    RequestId id = ArgumentChecks.requestId(requestId);
    return repeats.once(
        id,
        repository,
        () -> {
          Request wanted = io.call(repository, () -> checks.accept(repository, request.fix()));
          return queued(repository.commit(id, wanted));
        },
        reply -> queued(reply.repeated(id, Checks.operation(reply))));
  }

  private static FixQueued queued(Reply reply) {
    return new FixQueued(reply.id(), reply.commit());
  }

  @Override
  public FixPage listFixes(String repoId, FixQuery query) {
    return listings.fixes(repositories.get(repoId), query);
  }

  @Override
  public Committed pauseFix(String repoId, String fixId, @Nullable String requestId) {
    return committed(repoId, new PauseFix(fixId), requestId);
  }

  @Override
  public Committed resumeFix(String repoId, String fixId, @Nullable String requestId) {
    return committed(repoId, new ResumeFix(fixId), requestId);
  }

  @Override
  public RequestOutcome cancelRequest(String repoId, String requestId) {
    Reply reply =
        repositories
            .get(repoId)
            .commit(ArgumentChecks.requestId(requestId), new CancelRequest(null));
    return CancelRequest.made(reply)
        ? new RequestOutcome(false, null, null, reply.commit())
        : new RequestOutcome(true, reply.operation(), reply.id(), reply.commit());
  }

  @Override
  public HostPage listHosts(PageQuery query) {
    return query.of(tasks.hosts(), HostInfo::hostId, HostPage::new);
  }

  @Override
  public void drainHost(String drainedHostId, boolean drained) {
    tasks.drain(drainedHostId, drained);
  }

  @Override
  public void fenceHost(String fencedHostId) {
    tasks.fence(fencedHostId);
  }

  @Override
  public TaskPage listTasks(@Nullable String ofHost, PageQuery query) {
    return query.of(tasks.list(ofHost), TaskInfo::taskId, TaskPage::new);
  }

  @Override
  public void stopTask(String taskId) {
    tasks.stop(taskId);
  }

  @Override
  public void releaseTask(String taskId) {
    tasks.release(taskId);
  }

  @Override
  public EventStream watchEvents(@Nullable String since) {
    return events.watch(since);
  }

  @Override
  public void setThrottle(long bytesPerSecond) {
    tasks.throttle(bytesPerSecond);
  }

  private Committed committed(String repoId, Request request, @Nullable String requestId) {
    Reply reply = repositories.get(repoId).commit(ArgumentChecks.requestId(requestId), request);
    return new Committed(reply.commit());
  }

  /** Closes the images that this agent reads and fills. */
  @Override
  public void close() {
    readings.close();
    uploads.close();
  }

  /** The image of that id, for other parts of the API. */
  static Image require(LogState state, String imageId, String repoId) {
    Image image = state.repository().visibleImage(imageId);
    if (image == null) {
      throw Status.notFound(imageId, repoId);
    }
    return image;
  }
}
