package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonSubTypes.Type;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/**
 * What the SDM is asked to commit. Ids are made by the caller, so planning is a function of state
 * and request: it either adds changes to the draft and answers, or throws a StorageException and
 * leaves nothing.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "operation")
@JsonSubTypes({
  @Type(value = CreateVirtualDisk.class, name = "createVirtualDisk"),
  @Type(value = CreateSnapshot.class, name = "createSnapshot"),
  @Type(value = PinForCopy.class, name = "pinForCopy"),
  @Type(value = CopyImage.class, name = "copyImage"),
  @Type(value = Unpin.class, name = "unpin"),
  @Type(value = RemoveImage.class, name = "removeImage"),
  @Type(value = OpenImage.class, name = "openImage"),
  @Type(value = CloseImage.class, name = "closeImage"),
  @Type(value = ReapOpens.class, name = "reapOpens"),
  @Type(value = QueueFix.class, name = "queueFix"),
  @Type(value = StopFix.class, name = "stopFix"),
  @Type(value = FailFix.class, name = "failFix"),
  @Type(value = FinishMend.class, name = "finishMend"),
  @Type(value = TombstoneVolume.class, name = "tombstoneVolume"),
  @Type(value = PurgeVolume.class, name = "purgeVolume"),
  @Type(value = FinishStray.class, name = "finishStray"),
})
public sealed interface Request
    permits CreateVirtualDisk,
        CreateSnapshot,
        PinForCopy,
        CopyImage,
        Unpin,
        RemoveImage,
        OpenImage,
        CloseImage,
        ReapOpens,
        QueueFix,
        StopFix,
        FailFix,
        FinishMend,
        TombstoneVolume,
        PurgeVolume,
        FinishStray {

  Reply plan(Draft draft);

  /** The request's name; a repeated request id must come with the same one. */
  @JsonIgnore
  default String operation() {
    String name = getClass().getSimpleName();
    return Character.toLowerCase(name.charAt(0)) + name.substring(1);
  }

  /** Whether it only frees space: such requests may use the ballast of a full storage. */
  @JsonIgnore
  default boolean freesSpace() {
    return false;
  }
}
