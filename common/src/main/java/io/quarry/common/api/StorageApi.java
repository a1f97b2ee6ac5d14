package io.quarry.common.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The new storage API: one method per verb. A mutating call returns once its metadata is durably
 * committed, not when the data work is done. A mutating call takes a request id. Repeating it with
 * the same id, through any agent, gives the first answer and has one effect. A null id asks for a
 * fresh one. Every method throws {@link StorageException} and nothing else.
 */
public interface StorageApi {
  /** Connects a storage that is a repository already. */
  RepositoryInfo connectStorageRepository(ConnectRequest request);

  /** Makes an empty storage into a repository, and connects it. Connects an existing repository. */
  RepositoryInfo createStorageRepository(ConnectRequest request);

  void disconnectStorageRepository(String repoId);

  /**
   * The repository gets all features that this agent knows. Older agents cannot use the repository
   * from then on.
   */
  Committed upgradeStorageRepository(String repoId, @Nullable String requestId);

  List<RepositoryInfo> listStorageRepositories();

  RepositoryInfo getStorageRepository(String repoId);

  CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String requestId);

  CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String requestId);

  CreatedImage copyImage(String repoId, CopyImageRequest request, @Nullable String requestId);

  Committed removeImage(
      String repoId, String imageId, RemoveImageOptions options, @Nullable String requestId);

  /** Undoes a removal, as long as cleaning has not begun. */
  Committed restoreImage(String repoId, String imageId, @Nullable String requestId);

  ImagePage listImages(String repoId, ImageQuery query);

  ImageInfo getImage(String repoId, String imageId, long atLeast);

  ImageStatus getImageStatus(String repoId, String imageId, StatusQuery query);

  /**
   * Says what an image lacks, which fix will help, and which host works on that fix or why none
   * does.
   */
  ImageExplanation explainImage(String repoId, String imageId, long atLeast);

  /** Replaces an image's user data as a whole. */
  Committed setUserData(
      String repoId, String imageId, ObjectNode userData, @Nullable String requestId);

  /** A virtual disk gets larger; its new end reads as zeros. The same size changes nothing. */
  Committed resizeImage(String repoId, String imageId, long size, @Nullable String requestId);

  OpenedImage openImage(
      String repoId, String imageId, OpenRequest request, @Nullable String requestId);

  Committed closeImage(String repoId, String imageId, String openId, @Nullable String requestId);

  OpenPage listOpens(String repoId, OpenQuery query);

  /** All opens, page by page. */
  default List<OpenInfo> listOpens(String repoId, @Nullable String hostId, long atLeast) {
    return all(
        after -> listOpens(repoId, new OpenQuery(hostId, after, OpenQuery.LIMIT_MAX, atLeast)),
        OpenPage::opens,
        OpenPage::next);
  }

  OpenInfo getOpen(String repoId, String openId, long atLeast);

  /**
   * Ends an open of any image.
   *
   * @param force end the open although an agent sees a process that writes: the caller vouches that
   *     the process is dead to the repository, as with {@link #fenceHost}
   */
  Committed closeOpen(String repoId, String openId, boolean force, @Nullable String requestId);

  /** Ends opens of a host, as far as there is evidence that their users have ended. */
  ClosedOpens closeOpens(String repoId, CloseOpensRequest request, @Nullable String requestId);

  /** The image's content, or a range of it, as a guest sees it. The caller closes it. */
  ImageData downloadImage(String repoId, String imageId, DownloadRequest request);

  /** The parts of an image that a caller has to read, because they may hold data. */
  ImageExtents listImageExtents(String repoId, String imageId, ExtentQuery query);

  /**
   * Takes a disk for an upload. No other user may use the disk until the upload is finished or
   * closed.
   */
  UploadInfo beginUpload(
      String repoId, String imageId, BeginUploadRequest request, @Nullable String requestId);

  UploadInfo getUpload(String repoId, String imageId, String uploadId);

  /**
   * Stores one range, durably. Ranges come in order; sending a stored one again is no error.
   *
   * @param content the range's bytes, read to their end unless the call fails
   */
  UploadInfo uploadImage(
      String repoId, String imageId, String uploadId, UploadRange range, InputStream content);

  /**
   * Verifies the stored bytes and makes them the disk's content. The call may return before that is
   * done: call again until it is finished. To give up, close the image with the upload's id.
   */
  UploadInfo finishUpload(
      String repoId,
      String imageId,
      String uploadId,
      FinishUploadRequest request,
      @Nullable String requestId);

  CheckReport checkStorageRepository(String repoId, CheckOptions options);

  FixQueued fixStorageRepository(String repoId, FixRequest request, @Nullable String requestId);

  FixPage listFixes(String repoId, FixQuery query);

  /** All outstanding fixes, page by page. */
  default List<FixInfo> listFixes(String repoId, long atLeast) {
    return all(
        after -> listFixes(repoId, new FixQuery(after, FixQuery.LIMIT_MAX, atLeast)),
        FixPage::fixes,
        FixPage::next);
  }

  /** The fix leaves the queue; its worker lets go at a checkpoint. */
  Committed pauseFix(String repoId, String fixId, @Nullable String requestId);

  /** Ends a pause. */
  Committed resumeFix(String repoId, String fixId, @Nullable String requestId);

  /**
   * Settles the outcome of a request whose answer was lost. An uncommitted request will never be
   * committed, even if an agent still holds it. May be repeated; the answer stays the same.
   */
  RequestOutcome cancelRequest(String repoId, String requestId);

  HostPage listHosts(PageQuery query);

  /** All live hosts, page by page. */
  default List<HostInfo> listHosts() {
    return all(
        after -> listHosts(new PageQuery(after, PageQuery.LIMIT_MAX)),
        HostPage::hosts,
        HostPage::next);
  }

  /**
   * Drains a host, or ends that. A drained host lets go of its fixes at their checkpoints and takes
   * no new ones. A drained host gives up managing repositories that another host can manage.
   */
  void drainHost(String hostId, boolean drained);

  /**
   * An administrator confirms that the host is dead: its claims and opens end, other hosts go on.
   */
  void fenceHost(String hostId);

  /** Tasks of one host, or of all live hosts when {@code hostId} is null. */
  TaskPage listTasks(@Nullable String hostId, PageQuery query);

  /** All tasks, page by page. */
  default List<TaskInfo> listTasks(@Nullable String hostId) {
    return all(
        after -> listTasks(hostId, new PageQuery(after, PageQuery.LIMIT_MAX)),
        TaskPage::tasks,
        TaskPage::next);
  }

  /** The fix leaves the queue with a lastError; a later fix goes on from the checkpoint. */
  void stopTask(String taskId);

  /** The host lets go; any other may claim the fix and go on from the checkpoint. */
  void releaseTask(String taskId);

  /**
   * Commits of all repositories connected on the agent, in the order of their logs, and progress.
   *
   * @param since the id of the last event seen, from any agent; {@code 0} begins with the oldest
   *     commit that the logs hold, null with the next one
   */
  EventStream watchEvents(@Nullable String since);

  /** Changes this host's copy throttle until the agent ends; 0 means unlimited. */
  void setThrottle(long bytesPerSecond);

  private static <P, T> List<T> all(
      Function<@Nullable String, P> pageAfter,
      Function<P, List<T>> entries,
      Function<P, @Nullable String> next) {
    List<T> all = new ArrayList<>();
    String after = null;
    do {
      P page = pageAfter.apply(after);
      all.addAll(entries.apply(page));
      after = next.apply(page);
    } while (after != null);
    return all;
  }
}
