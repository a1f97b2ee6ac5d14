package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import org.jspecify.annotations.Nullable;

/**
 * A request for the SDM to commit. Callers make the ids, so a plan is a function of state and
 * request. A plan either adds changes to the transaction and answers, or throws a StorageException
 * and changes nothing.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "operation")
@JsonSubTypes({
  @JsonSubTypes.Type(value = CreateVirtualDisk.class, name = "createVirtualDisk"),
  @JsonSubTypes.Type(value = CreateSnapshot.class, name = "createSnapshot"),
  @JsonSubTypes.Type(value = PinForCopy.class, name = "pinForCopy"),
  @JsonSubTypes.Type(value = PinAsBase.class, name = "pinAsBase"),
  @JsonSubTypes.Type(value = CopyImage.class, name = "copyImage"),
  @JsonSubTypes.Type(value = Unpin.class, name = "unpin"),
  @JsonSubTypes.Type(value = RemoveImage.class, name = "removeImage"),
  @JsonSubTypes.Type(value = RestoreImage.class, name = "restoreImage"),
  @JsonSubTypes.Type(value = SetUserData.class, name = "setUserData"),
  @JsonSubTypes.Type(value = ResizeImage.class, name = "resizeImage"),
  @JsonSubTypes.Type(value = OpenImage.class, name = "openImage"),
  @JsonSubTypes.Type(value = CloseImage.class, name = "closeImage"),
  @JsonSubTypes.Type(value = BeginUpload.class, name = "beginUpload"),
  @JsonSubTypes.Type(value = FinishUpload.class, name = "finishUpload"),
  @JsonSubTypes.Type(value = ReapOpens.class, name = "reapOpens"),
  @JsonSubTypes.Type(value = EndDeadOpens.class, name = "endDeadOpens"),
  @JsonSubTypes.Type(value = FenceOpens.class, name = "fenceOpens"),
  @JsonSubTypes.Type(value = QueueFix.class, name = "queueFix"),
  @JsonSubTypes.Type(value = GrantFixes.class, name = "grantFixes"),
  @JsonSubTypes.Type(value = StopFix.class, name = "stopFix"),
  @JsonSubTypes.Type(value = PauseFix.class, name = "pauseFix"),
  @JsonSubTypes.Type(value = ResumeFix.class, name = "resumeFix"),
  @JsonSubTypes.Type(value = FailFix.class, name = "failFix"),
  @JsonSubTypes.Type(value = FinishMend.class, name = "finishMend"),
  @JsonSubTypes.Type(value = FinishReplacement.class, name = "finishReplacement"),
  @JsonSubTypes.Type(value = BeginMergeInPlace.class, name = "beginMergeInPlace"),
  @JsonSubTypes.Type(value = LeaveMergeInPlace.class, name = "leaveMergeInPlace"),
  @JsonSubTypes.Type(value = FinishMergeInPlace.class, name = "finishMergeInPlace"),
  @JsonSubTypes.Type(value = TombstoneVolume.class, name = "tombstoneVolume"),
  @JsonSubTypes.Type(value = PurgeVolume.class, name = "purgeVolume"),
  @JsonSubTypes.Type(value = FinishOrphan.class, name = "finishStray"),
  @JsonSubTypes.Type(value = CancelRequest.class, name = "cancelRequest"),
  @JsonSubTypes.Type(value = EnableFeatures.class, name = "enableFeatures"),
  @JsonSubTypes.Type(value = WitnessVolumes.class, name = "witnessVolumes"),
  @JsonSubTypes.Type(value = AdoptGrowth.class, name = "adoptGrowth"),
  @JsonSubTypes.Type(value = GrowPool.class, name = "growPool"),
  @JsonSubTypes.Type(value = ReserveExtents.class, name = "reserveExtents"),
  @JsonSubTypes.Type(value = MapFiles.class, name = "mapFiles"),
  @JsonSubTypes.Type(value = UnmapFiles.class, name = "unmapFiles"),
  @JsonSubTypes.Type(value = FenceMappings.class, name = "fenceMappings"),
  @JsonSubTypes.Type(value = FreeExtents.class, name = "freeExtents"),
  @JsonSubTypes.Type(value = ClaimWork.class, name = "claimWork"),
  @JsonSubTypes.Type(value = SaveCheckpoint.class, name = "saveCheckpoint"),
  @JsonSubTypes.Type(value = ForgetWork.class, name = "forgetWork"),
})
public sealed interface Request
    permits CreateVirtualDisk,
        CreateSnapshot,
        PinForCopy,
        PinAsBase,
        CopyImage,
        Unpin,
        RemoveImage,
        RestoreImage,
        SetUserData,
        ResizeImage,
        OpenImage,
        CloseImage,
        BeginUpload,
        FinishUpload,
        ReapOpens,
        EndDeadOpens,
        FenceOpens,
        QueueFix,
        GrantFixes,
        StopFix,
        PauseFix,
        ResumeFix,
        FailFix,
        FinishMend,
        FinishReplacement,
        BeginMergeInPlace,
        LeaveMergeInPlace,
        FinishMergeInPlace,
        TombstoneVolume,
        PurgeVolume,
        FinishOrphan,
        CancelRequest,
        EnableFeatures,
        WitnessVolumes,
        AdoptGrowth,
        GrowPool,
        ReserveExtents,
        MapFiles,
        UnmapFiles,
        FenceMappings,
        FreeExtents,
        ClaimWork,
        SaveCheckpoint,
        ForgetWork {

  Reply plan(Transaction transaction);

  /** The request's name; a repeated request id must come with the same one. */
  @JsonIgnore
  default String operation() {
    return Operations.nameOf(getClass());
  }

  /**
   * The entity that the answer will name, if the request alone decides that; otherwise null. An
   * answer that names another entity belongs to another call.
   */
  @JsonIgnore
  default @Nullable String answeredWith() {
    return null;
  }

  /** Whether the request helps to free space: if so, it may use the ballast of a full storage. */
  @JsonIgnore
  default boolean freesSpace() {
    return false;
  }

  /**
   * Whether the request uses existing images: VMs have to start on a full storage, too. Such
   * requests may use half of the ballast.
   */
  @JsonIgnore
  default boolean usesImages() {
    return false;
  }
}
