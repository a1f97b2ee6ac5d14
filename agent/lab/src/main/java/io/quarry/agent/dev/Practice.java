package io.quarry.agent.dev;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One piece of each frequent kind of work, so that an agent loads the classes for it. */
final class Practice {
  private static final long SIZE = 1 << 20;
  private static final Duration FIX_MAX = Duration.ofSeconds(20);

  private final StorageClient client;
  private final String repoId;
  private final String otherRepoId;

  Practice(StorageClient client, String repoId, String otherRepoId) {
    this.client = client;
    this.repoId = repoId;
    this.otherRepoId = otherRepoId;
  }

  void run() {
    String disk = disk(null);
    String snapshot = snapshot(disk);
    String copy =
        client
            .copyImage(
                otherRepoId,
                new CopyImageRequest(
                    snapshot, null, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT),
                null)
            .imageId();
    await(otherRepoId, copy);
    String over = disk(snapshot);
    OpenedImage opened = client.openImage(repoId, over, new OpenRequest(false, "practice"), null);
    client.closeImage(repoId, over, opened.openId(), null);
    client.removeImage(repoId, over, RemoveImageOptions.DEFAULT, null);
    client.removeImage(repoId, snapshot, RemoveImageOptions.DEFAULT, null);
    client.resizeImage(repoId, disk, 2 * SIZE, null);
    await(repoId, disk);
    client.checkStorageRepository(repoId, CheckOptions.DEFAULT);
    client.getImage(repoId, disk, 0);
    client.listImages(repoId, ImageQuery.ALL);
    client.listFixes(repoId, 0);
    client.listTasks(null);
    client.listHosts();
    client.getStorageRepository(repoId);
  }

  private String disk(@Nullable String base) {
    CreateVirtualDiskRequest request =
        new CreateVirtualDiskRequest(
            SIZE, base, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    String disk = client.createVirtualDisk(repoId, request, null).imageId();
    await(repoId, disk);
    return disk;
  }

  private String snapshot(String disk) {
    CreateSnapshotRequest request =
        new CreateSnapshotRequest(
            disk, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    String snapshot = client.createSnapshot(repoId, request, null).imageId();
    await(repoId, disk);
    return snapshot;
  }

  private void await(String where, String imageId) {
    var _ =
        client.getImageStatus(where, imageId, new StatusQuery(FIX_MAX, ImageState.OPTIMIZED, 0));
  }
}
