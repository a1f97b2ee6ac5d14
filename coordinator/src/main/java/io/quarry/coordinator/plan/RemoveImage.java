package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Visible becomes hidden. Never refused because others depend on it; its data stays until they
 * don't. An unfinished image that nothing depends on stops being mended: removing it is how an
 * operation is cancelled. What Quarry itself does for callers with the image ends: uploads and
 * downloads. A VM that writes to it refuses the removal; one that reads keeps its volumes.
 *
 * @param retain how long cleaning waits, so that the removal can be undone
 * @param force whether a VM that writes to the image may go on with its volumes until it closes it
 */
public record RemoveImage(
    String imageId,
    boolean autoFix,
    Duration retain,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean force)
    implements Request {
  public RemoveImage(String imageId, boolean autoFix, @Nullable Duration retain, boolean force) {
    this.imageId = Checked.name("imageId", imageId);
    this.autoFix = autoFix;
    this.retain = Objects.requireNonNullElse(retain, Duration.ZERO);
    this.force = force;
    if (this.retain.isNegative() || this.retain.compareTo(Limits.RETAIN_MAX) > 0) {
      throw StorageException.invalid(
          "retain", "retain is " + retain, "give at most " + Limits.RETAIN_MAX.toDays() + " days");
    }
  }

  /** As agents of all versions send it; an older one knows no force. */
  @JsonCreator
  static RemoveImage of(
      @JsonProperty("imageId") String imageId,
      @JsonProperty("autoFix") boolean autoFix,
      @JsonProperty("retain") @Nullable Duration retain,
      @JsonProperty("force") @Nullable Boolean force) {
    return new RemoveImage(imageId, autoFix, retain, Boolean.TRUE.equals(force));
  }

  @Override
  public String answeredWith() {
    return imageId;
  }

  @Override
  public Reply plan(Transaction transaction) {
    Image image = transaction.state().visibleImage(imageId);
    if (image == null) {
      throw PlanErrors.imageNotFound(imageId);
    }
    List<Open> opens =
        transaction.state().opensOf(imageId).stream()
            .sorted()
            .map(transaction.state().opens()::get)
            .filter(Objects::nonNull)
            .toList();
    for (Open open : opens) {
      if (!force && !open.byQuarry() && !open.readOnly()) {
        throw PlanErrors.written(image, open);
      }
    }
    transaction.add(new Change.PutImage(image.hidden(autoFix, transaction.now().plus(retain))));
    opens.stream().filter(Open::byQuarry).forEach(transaction::close);
    transaction.settle(imageId);
    return transaction.reply(this, imageId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
