package io.quarry.coordinator.sdm;

import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import java.util.concurrent.CompletableFuture;

/** A request on its way through the SDM. */
record Submission(RequestId requestId, Request request, CompletableFuture<Reply> answer) {}
