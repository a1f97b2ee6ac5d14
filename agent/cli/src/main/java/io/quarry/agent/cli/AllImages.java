package io.quarry.agent.cli;

import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads all pages of a listing. */
final class AllImages {
  private AllImages() {}

  static ImagePage list(
      StorageApi api,
      String repo,
      @Nullable ImageKind kind,
      @Nullable ImageState state,
      Visibility visibility,
      @Nullable String label) {
    List<ImageInfo> images = new ArrayList<>();
    String after = null;
    ImagePage page;
    do {
      page =
          api.listImages(
              repo, new ImageQuery(kind, state, visibility, label, after, ImageQuery.LIMIT_MAX, 0));
      images.addAll(page.images());
      after = page.next();
    } while (after != null);
    return new ImagePage(images, null, page.commit());
  }
}
