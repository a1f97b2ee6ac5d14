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
 * Makes a visible image hidden, whether or not others depend on it: its data stays while they do.
 * An unfinished image that nothing depends on is not mended any more: removing it cancels the
 * operation. Quarry's own uses of the image for callers end: uploads and downloads. A VM that
 * writes to the image makes the SDM refuse the removal. A VM that reads keeps its volumes.
 *
 * @param retain how long cleaning waits, so that the removal can be undone
 * @param force whether to remove an image that a VM writes to; the VM keeps its volumes until it
 *     closes the image
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

  /** Reads requests of agents of all versions; an older one sends no {@code force}. */
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
